// sendWithProgress returns a fetch that tells how much of the body was sent, which the browser's own does not, and that
// can be given up.
export function sendWithProgress(signal: AbortSignal, progress: (share: number) => void): typeof fetch {
  return (url, { method = 'GET', headers, body } = {}) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open(method, url instanceof Request ? url.url : url)
      for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value)
      request.upload.addEventListener('progress', ({ loaded, total }) => progress(total ? loaded / total : 0))
      request.addEventListener('load', () => {
        const type = request.getResponseHeader('content-type') ?? ''
        resolve(new Response(request.responseText, { status: request.status, headers: { 'content-type': type } }))
      })
      request.addEventListener('error', () => reject(new TypeError('the connection broke')))
      request.addEventListener('abort', () => reject(new DOMException('given up', 'AbortError')))
      signal.addEventListener('abort', () => request.abort())
      if (signal.aborted) request.abort()
      else request.send(body as XMLHttpRequestBodyInit)
    })
}
