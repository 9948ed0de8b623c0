import * as v from 'valibot'

/** An item with what pages draw, where a list is told whole: in the manifest, and beside the Worker. */
export const ListedItem = v.object({
  id: v.string(),
  values: v.record(v.string(), v.union([v.string(), v.number(), v.boolean(), v.array(v.string())])),
})
export type ListedItem = v.InferOutput<typeof ListedItem>
