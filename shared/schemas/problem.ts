/** RFC 9457 problem details; `field` names what to mend, as a path such as `events[3].item`. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  field?: string
}
