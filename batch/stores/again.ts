import pRetry from 'p-retry'

/**
 * Kept-alive connections to a local workerd may be closed by a busy machine just as one is used. For calls that may be
 * made twice; p-retry repeats only those that failed on the network.
 */
export const again = <T>(call: () => Promise<T>): Promise<T> => pRetry(call, { retries: 4, minTimeout: 50 })
