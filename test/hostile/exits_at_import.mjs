// Exits at its top level.
process.exit(3);
