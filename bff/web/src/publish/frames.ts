import { useEffect, useState } from 'react'

// Frame is one frame of a video as a JPEG picture.
export interface Frame {
  blob: Blob
  url: string
}

const maxSide = 960 // pixels of the longer side
const eventTimeout = 5_000 // ms

function waitFor(target: EventTarget, name: string) {
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`timeout waiting for ${name}`)), eventTimeout)
    target.addEventListener(name, () => { clearTimeout(timer); resolve() }, { once: true })
    target.addEventListener('error', () => { clearTimeout(timer); reject(new Error('the video cannot be played')) }, { once: true })
  })
}

// readFrames returns frames that are evenly spread over a video. It returns fewer after an error, and none if the browser
// cannot play the format. The caller revokes the URLs.
async function readFrames(url: string, count: number, signal: AbortSignal): Promise<Frame[]> {
  const video = document.createElement('video')
  video.muted = true
  video.preload = 'auto'
  video.playsInline = true
  video.src = url
  const frames: Frame[] = []
  try {
    await waitFor(video, 'loadeddata')
    const scale = Math.min(1, maxSide / Math.max(video.videoWidth, video.videoHeight))
    const canvas = document.createElement('canvas')
    canvas.width = Math.round(video.videoWidth * scale)
    canvas.height = Math.round(video.videoHeight * scale)
    const context = canvas.getContext('2d')
    // A recording of MediaRecorder has no duration.
    const duration = Number.isFinite(video.duration) ? video.duration : 1
    for (let i = 0; i < count && context && !signal.aborted; i++) {
      const seeked = waitFor(video, 'seeked')
      video.currentTime = (duration * (i + 0.5)) / count
      await seeked
      context.drawImage(video, 0, 0, canvas.width, canvas.height)
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.86))
      if (blob) frames.push({ blob, url: URL.createObjectURL(blob) })
    }
  } catch {
    // Return the frames read so far.
  } finally {
    video.removeAttribute('src')
    video.load()
  }
  return frames
}

const frameCount = 6

function revoke(frames: Frame[]) {
  for (const { url } of frames) URL.revokeObjectURL(url)
}

// useFrames returns frames of a video, none until they are read. It revokes their URLs on unmount.
export function useFrames(url: string): Frame[] {
  const [frames, setFrames] = useState<Frame[]>([])
  useEffect(() => {
    const reading = new AbortController()
    let loaded: Frame[] = []
    void readFrames(url, frameCount, reading.signal).then((read) => {
      loaded = read
      if (reading.signal.aborted) revoke(read)
      else setFrames(read)
    })
    return () => {
      reading.abort()
      revoke(loaded)
    }
  }, [url])
  return frames
}
