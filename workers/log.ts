/** One line of structured log about something that went wrong and was survived. Never names a visitor. */
export function warn(event: string, error: unknown, detail: Record<string, string> = {}): void {
  console.warn(JSON.stringify({ event, ...detail, error: error instanceof Error ? error.message : String(error) }))
}
