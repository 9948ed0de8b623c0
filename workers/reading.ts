/** What is at hand, or on its way: each promise on the way to an answer is made, kept and collected, and most would bring what is there. */
export type Reading<T> = T | Promise<T>
