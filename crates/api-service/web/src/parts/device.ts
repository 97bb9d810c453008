// What kind of device this is.

/** Whether the main pointer is a finger: the screen keyboard then has no handy Shift, and focus raises it. */
export const touch = () => matchMedia("(pointer: coarse)").matches;

/** Whether the system asks for less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
