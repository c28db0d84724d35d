import { Courses } from "./courses.ts";
import { Floors } from "./floors.ts";
import { Laboratory } from "./laboratory.ts";

/** What a part of the bench works with. */
export interface Bench {
  readonly lab: Laboratory;
  readonly floors: Floors;
  readonly courses: Courses;
  readonly say: (line: string) => void;
}

export function makeBench(signal: AbortSignal, say: (line: string) => void): Bench {
  const lab = new Laboratory(signal);
  return { lab, floors: new Floors(lab), courses: new Courses(lab), say };
}
