/** Many times what the largest issuers publish. */
const MOST_BYTES = 512 * 1024;

/**
 * The text of the key set at this address. Redirects are not followed: the address is configured, and whoever answers there must be the issuer.
 * @throws Error that says in one sentence why it cannot be had
 */
export async function fetchKeySet(uri: string, timeoutMs: number, stop: AbortSignal): Promise<string> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const signal = AbortSignal.any([late, stop]);
    const response = await fetch(uri, { redirect: 'manual', headers: { accept: 'application/json' }, signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`it answers ${response.status}`);
    }
    return await textOf(response);
  } catch (error) {
    if (late.aborted) throw new Error(`it does not answer within ${timeoutMs} ms`, { cause: error });
    throw new Error(reasonOf(error), { cause: error });
  }
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the rest of the body.
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) throw new Error(`it sends more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What `fetch` throws says only that it failed; why stands in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}
