/** One parameter of an alarm: what a value must be, and what it is for. */
export type ParamSpec =
  | ColumnSpec
  | (Described & {
      /** A list of objects that have the same columns. */
      type: "table";
      columns: ColumnSpecs;
      default?: readonly TableRow[];
    });

/** A column of a table. Where it is required, each row must have a value. */
export type ColumnSpec =
  | (Described & {
      type: "number" | "integer";
      default?: number;
      min?: number;
      max?: number;
      choices?: readonly number[];
    })
  | (Described & { type: "string"; default?: string; choices?: readonly string[] })
  | (Described & { type: "boolean"; default?: boolean })
  | (Described & { type: "list"; default?: readonly string[]; choices?: readonly string[] });

interface Described {
  /** Without a value the alarm is "not configured" instead of running. */
  required?: boolean;
  /** One line for the person who sets it. */
  description: string;
}

/** The columns of a table: column name → spec. */
export interface ColumnSpecs {
  readonly [column: string]: ColumnSpec;
}

/** A module's `PARAMS`: parameter name → spec. */
export interface ParamSpecs {
  readonly [name: string]: ParamSpec;
}

interface TableRow {
  readonly [column: string]: string | number | boolean | readonly string[];
}

type ValueOf<S> = S extends { type: "number" | "integer" }
  ? ChoiceOf<S, number>
  : S extends { type: "string" }
    ? ChoiceOf<S, string>
    : S extends { type: "boolean" }
      ? boolean
      : S extends { type: "list" }
        ? readonly ChoiceOf<S, string>[]
        : S extends { type: "table"; columns: infer C extends ColumnSpecs }
          ? readonly ParamsOf<C>[]
          : never;

/** One of its choices where it has any, which every value is checked against. */
type ChoiceOf<S, T> = S extends { choices: readonly (infer C extends T)[] } ? C : T;

type IsPresent<S> = S extends { required: true }
  ? true
  : S extends { default: unknown }
    ? true
    : false;

/** The `params` that `detect` gets: always there when required or defaulted, else maybe undefined. */
export type ParamsOf<P extends ParamSpecs> = {
  readonly [K in keyof P]: IsPresent<P[K]> extends true ? ValueOf<P[K]> : ValueOf<P[K]> | undefined;
};
