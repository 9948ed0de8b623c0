/** The namespace within the EU's jurisdiction, where the platform knows any. */
export function inEu<T extends Rpc.DurableObjectBranded | undefined>(namespace: DurableObjectNamespace<T>): DurableObjectNamespace<T> {
  try {
    return namespace.jurisdiction('eu')
  } catch {
    // The local runtime may know no jurisdictions.
    return namespace
  }
}

/** Where the network says that a request comes from the EU. */
export const isFromEu = ({ cf }: Request): boolean => cf?.isEUCountry === '1'

/** The bucket in the EU for what happens there; null where the deployment has none, and everything lies in one. */
export const euBucket = (env: Env): R2Bucket | null => (env as Partial<Env>).EVENTS_EU ?? null

/** Every bucket that holds a part of the event archive. */
export const archivesOf = (env: Env): R2Bucket[] => [env.EVENTS, ...[euBucket(env) ?? []].flat()]
