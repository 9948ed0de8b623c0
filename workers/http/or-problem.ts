import { warn } from '../log.ts'
import { HttpProblem } from './problem.ts'

/** Nothing is said to be done that was not. @throws HttpProblem 503 */
export async function orProblem<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    warn('visitor-request-failed', error)
    throw new HttpProblem(503, 'the visitor’s data could not be reached; ask again')
  }
}
