/** Where work goes that the answer does not wait for; all that is needed of an execution context. */
export type Background = Pick<ExecutionContext, 'waitUntil'>
