// Imports a package that is not there.
import "not-there-at-all";
export const detect = () => [];
