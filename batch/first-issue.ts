import * as v from 'valibot'

/** What does not fit, in one line that names the field. */
export function firstIssue([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const path = v.getDotPath(issue)
  if (issue.type === 'strict_object' && issue.expected === 'never') return `${path}: there is no such setting`
  return `${path ?? 'the file'}: ${issue.message}`
}
