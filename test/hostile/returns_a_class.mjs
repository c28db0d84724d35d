// Is a class.
export class detect {}
