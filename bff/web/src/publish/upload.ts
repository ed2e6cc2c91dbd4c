// fetchWithProgress returns a fetch function that reports the sent share of the body, from 0 to 1, and stops on abort.
export function fetchWithProgress(signal: AbortSignal, onProgress: (share: number) => void): typeof fetch {
  return (url, { method = 'GET', headers, body } = {}) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      request.open(method, url instanceof Request ? url.url : url)
      for (const [name, value] of new Headers(headers)) request.setRequestHeader(name, value)
      request.upload.addEventListener('progress', ({ loaded, total }) => onProgress(total ? loaded / total : 0))
      request.addEventListener('load', () => {
        const type = request.getResponseHeader('content-type') ?? ''
        resolve(new Response(request.responseText, { status: request.status, headers: { 'content-type': type } }))
      })
      request.addEventListener('error', () => reject(new TypeError('upload failed')))
      request.addEventListener('abort', () => reject(new DOMException('upload aborted', 'AbortError')))
      signal.addEventListener('abort', () => request.abort())
      if (signal.aborted) request.abort()
      else request.send(body as XMLHttpRequestBodyInit)
    })
}
