import { useEffect, useRef, useState } from 'react'
import { useText } from '../text/text'
import { Drawer } from '../ui/Drawer'

const maxSeconds = 60
const formats = ['video/mp4;codecs=avc1.42E01E,mp4a.40.2', 'video/mp4', 'video/webm;codecs=vp9,opus', 'video/webm']

// Camera records a video with the camera and the microphone.
export function Camera({ done, close }: { done: (file: File) => void; close: () => void }) {
  const { t } = useText()
  const view = useRef<HTMLVideoElement>(null)
  const { stream, failed } = useStream()
  const { seconds, start, stop } = useRecorder(stream, done)
  useEffect(() => {
    if (view.current) view.current.srcObject = stream
  }, [stream])
  return (
    <Drawer title={t.record} close={close} className="camera">
      {failed ? (
        <p className="form-error" role="alert">{t.noCamera}</p>
      ) : (
        <>
          <video ref={view} className="camera-view" autoPlay muted playsInline />
          <div className="camera-bar">
            <span className="secondary" role="timer">{seconds === null ? '' : `${seconds} / ${maxSeconds} s`}</span>
            <button
              type="button"
              className="shutter"
              data-on={seconds !== null}
              disabled={!stream}
              aria-label={seconds === null ? t.startRecording : t.stopRecording}
              onClick={seconds === null ? start : stop}
            />
          </div>
        </>
      )}
    </Drawer>
  )
}

// useStream opens the camera and the microphone until unmount.
function useStream() {
  const [stream, setStream] = useState<MediaStream | null>(null)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    let unmounted = false
    let opened: MediaStream | null = null
    async function open() {
      try {
        opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', aspectRatio: 9 / 16, height: { ideal: 1280 } }, audio: true })
        if (unmounted) closeStream(opened)
        else setStream(opened)
      } catch {
        setFailed(true)
      }
    }
    void open()
    return () => {
      unmounted = true
      if (opened) closeStream(opened)
    }
  }, [])
  return { stream, failed }
}

function closeStream(stream: MediaStream) {
  for (const track of stream.getTracks()) track.stop()
}

// useRecorder records a stream and calls done with the file. seconds is the length so far, null before the start.
function useRecorder(stream: MediaStream | null, done: (file: File) => void) {
  const recorder = useRef<MediaRecorder | null>(null)
  const [seconds, setSeconds] = useState<number | null>(null)
  useEffect(() => {
    if (seconds === null) return
    if (seconds >= maxSeconds) {
      recorder.current?.stop()
      return
    }
    const timer = setTimeout(() => setSeconds(seconds + 1), 1_000)
    return () => clearTimeout(timer)
  }, [seconds])

  function start() {
    if (!stream) return
    const mimeType = formats.find((format) => MediaRecorder.isTypeSupported(format)) ?? ''
    const parts: Blob[] = []
    const started = new MediaRecorder(stream, { mimeType })
    started.ondataavailable = ({ data }) => parts.push(data)
    started.onstop = () => {
      const type = mimeType.split(';')[0] ?? mimeType
      done(new File(parts, type === 'video/mp4' ? 'camera.mp4' : 'camera.webm', { type }))
    }
    started.start()
    recorder.current = started
    setSeconds(0)
  }
  return { seconds, start, stop: () => recorder.current?.stop() }
}
