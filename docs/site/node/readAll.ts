/** The bytes of an answer, and how many of them are there while they come. */
export async function readAll(
  { body }: Response,
  onProgress: (received: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  const reader = body!.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    onProgress((received += next.value.length));
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
