const PAGE = 65_536
/** As many as 32-bit addresses reach. */
const MOST_PAGES = 65_536
/** Of a vector, and some: what lies apart is not in one cache line. */
const ALIGNMENT = 64

/** Memory that kernels and all threads share, up to 4 GB of it. A column's `byteOffset` is its address in a kernel. */
export class Arena {
  /** The collector does not see how large they are: left to it, several of gigabytes may wait for it at a time. */
  private static readonly spare: Arena[] = []
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true })
  private used = ALIGNMENT
  /** From here on nobody has ever had anything. */
  private touched = ALIGNMENT

  /** One that was given back, or else a new one. */
  static taken(): Arena {
    return Arena.spare.pop() ?? new Arena()
  }

  /** For the next who needs one. Views of it, and kernels on it, must be done with. */
  giveBack(): void {
    this.used = ALIGNMENT
    Arena.spare.push(this)
  }

  /** The address of so many zero bytes. */
  bytes(length: number): number {
    const address = this.used
    this.used += Math.ceil(length / ALIGNMENT) * ALIGNMENT
    const missing = this.used - this.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / PAGE))
    // What nobody has had is zero already, and takes no memory until it is written to.
    const before = Math.min(length, Math.max(0, this.touched - address))
    if (before > 0) new Uint8Array(this.buffer, address, before).fill(0)
    this.touched = Math.max(this.touched, this.used)
    return address
  }

  u8(length: number): Uint8Array {
    const address = this.bytes(length)
    return new Uint8Array(this.buffer, address, length)
  }

  f32(length: number): Float32Array {
    const address = this.bytes(4 * length)
    return new Float32Array(this.buffer, address, length)
  }

  f64(length: number): Float64Array {
    const address = this.bytes(8 * length)
    return new Float64Array(this.buffer, address, length)
  }

  u32(length: number): Uint32Array {
    const address = this.bytes(4 * length)
    return new Uint32Array(this.buffer, address, length)
  }

  /** What `use` took is free again when it is done. */
  async within<T>(use: () => Promise<T>): Promise<T> {
    const mark = this.used
    try {
      return await use()
    } finally {
      this.used = mark
    }
  }

  /** Another one after each growth; older views stay valid. */
  private get buffer(): ArrayBuffer {
    return this.memory.buffer
  }
}

/** Lends an arena for as long as `use` takes. After a failure a thread may still be writing to it: then nobody gets it again. */
export async function inArena<T>(use: (arena: Arena) => Promise<T>): Promise<T> {
  const arena = Arena.taken()
  const result = await use(arena)
  arena.giveBack()
  return result
}

/** What stands elsewhere, put into a column of the arena. */
export function copied<T extends { set(from: ArrayLike<number>): void }>(to: T, from: ArrayLike<number>): T {
  to.set(from)
  return to
}

/** Addresses of columns, in order. */
export const addresses = (...columns: { byteOffset: number }[]): number[] => columns.map(({ byteOffset }) => byteOffset)
