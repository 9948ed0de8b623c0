import { warn } from '../log.ts'
import { HttpProblem } from './problem.ts'

/** Nothing is said to be done that was not. @param what could not be reached @throws HttpProblem 503 */
export async function orProblem<T>(call: () => Promise<T>, what = 'the visitor’s data'): Promise<T> {
  try {
    return await call()
  } catch (error) {
    warn('visitor-request-failed', error)
    throw new HttpProblem(503, `${what} could not be reached; ask again`)
  }
}
