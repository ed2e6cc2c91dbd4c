// A frame of a video as a picture.
export interface Frame {
  blob: Blob
  url: string
}

const longest = 960 // pixels of the longer side
const patience = 5_000 // ms for one step of the player

function happened(target: EventTarget, name: string) {
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name}`)), patience)
    target.addEventListener(name, () => { clearTimeout(timer); resolve() }, { once: true })
    target.addEventListener('error', () => { clearTimeout(timer); reject(new Error('not playable')) }, { once: true })
  })
}

// readFrames returns pictures from all over a video, as JPEG. Those that cannot be read are left out; a browser that does
// not play the format returns none. Their URLs are to be revoked.
export async function readFrames(url: string, count: number, signal: AbortSignal): Promise<Frame[]> {
  const video = document.createElement('video')
  video.muted = true
  video.preload = 'auto'
  video.playsInline = true
  video.src = url
  const frames: Frame[] = []
  try {
    await happened(video, 'loadeddata')
    const scale = Math.min(1, longest / Math.max(video.videoWidth, video.videoHeight))
    const canvas = document.createElement('canvas')
    canvas.width = Math.round(video.videoWidth * scale)
    canvas.height = Math.round(video.videoHeight * scale)
    const context = canvas.getContext('2d')
    // What a camera has recorded does not say how long it is.
    const duration = Number.isFinite(video.duration) ? video.duration : 1
    for (let i = 0; i < count && context && !signal.aborted; i++) {
      const sought = happened(video, 'seeked')
      video.currentTime = (duration * (i + 0.5)) / count
      await sought
      context.drawImage(video, 0, 0, canvas.width, canvas.height)
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.86))
      if (blob) frames.push({ blob, url: URL.createObjectURL(blob) })
    }
  } catch {
    // What was read so far is good.
  } finally {
    video.removeAttribute('src')
    video.load()
  }
  return frames
}
