// Is no JavaScript.
export function* detect( {
