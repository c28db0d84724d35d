// Loops for ever at its top level.
for (;;);
