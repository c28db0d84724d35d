/** The name of the service of `[engine]`, which a module that declares no `SOURCES` needs. */
export const MAIN_SOURCE = "main";
