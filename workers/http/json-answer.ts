import { API_HEADERS } from './every-answer.ts'

/** Makes answers of JSON text, with these headers and those that every answer has. */
export function jsonAnswers(headers: Record<string, string>): (text: string) => Response {
  // The platform copies a list of headers at once; setting eight of them one by one costs as much as all the rest of an answer.
  const init = { headers: new Headers({ 'content-type': 'application/json', ...headers, ...API_HEADERS }) }
  return (text) => new Response(text, init)
}
