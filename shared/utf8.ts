const encoder = new TextEncoder()

/** A text's UTF-8 bytes. Platforms' types disagree about the buffer behind them; it is never a shared one. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text) as Uint8Array<ArrayBuffer>
