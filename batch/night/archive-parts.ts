import { join } from 'node:path'
import type { BlobSource } from '../stores/blob-source.ts'
import type { Stores } from '../stores/open-stores.ts'

/** A part of the event archive: the bucket it lies in, what its files are called by, and where its copy is. */
export type ArchivePart = { archive: BlobSource; name: '' | 'eu/'; directory: string }

/** @param copies where the night keeps its copy of the archive */
export const archiveParts = ({ blobs, euBlobs }: Pick<Stores, 'blobs' | 'euBlobs'>, copies: string): ArchivePart[] => [
  { archive: blobs, name: '', directory: copies },
  ...(euBlobs === null ? [] : [{ archive: euBlobs, name: 'eu/' as const, directory: euCopy(copies) }]),
]

export const euCopy = (copies: string): string => join(copies, 'eu')
