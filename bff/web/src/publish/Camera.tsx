import { useEffect, useRef, useState } from 'react'
import { Drawer } from '../parts/Drawer'
import { useWords } from '../text/text'

const longest = 60 // seconds of a recording
const formats = ['video/mp4;codecs=avc1.42E01E,mp4a.40.2', 'video/mp4', 'video/webm;codecs=vp9,opus', 'video/webm']

// Camera records a video with the camera and the microphone.
export function Camera({ done, close }: { done: (file: File) => void; close: () => void }) {
  const { t } = useWords()
  const view = useRef<HTMLVideoElement>(null)
  const recorder = useRef<MediaRecorder | null>(null)
  const [stream, setStream] = useState<MediaStream | null>(null)
  const [failed, setFailed] = useState(false)
  const [seconds, setSeconds] = useState<number | null>(null)

  useEffect(() => {
    let gone = false
    let opened: MediaStream | null = null
    async function open() {
      try {
        opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', aspectRatio: 9 / 16, height: { ideal: 1280 } }, audio: true })
        if (gone) stop(opened)
        else setStream(opened)
      } catch {
        setFailed(true)
      }
    }
    void open()
    return () => {
      gone = true
      if (opened) stop(opened)
    }
  }, [])

  useEffect(() => {
    if (view.current) view.current.srcObject = stream
  }, [stream])

  useEffect(() => {
    if (seconds === null) return
    if (seconds >= longest) {
      recorder.current?.stop()
      return
    }
    const timer = setTimeout(() => setSeconds(seconds + 1), 1_000)
    return () => clearTimeout(timer)
  }, [seconds])

  function start() {
    if (!stream) return
    const type = formats.find((format) => MediaRecorder.isTypeSupported(format)) ?? ''
    const parts: Blob[] = []
    const made = new MediaRecorder(stream, { mimeType: type })
    made.ondataavailable = ({ data }) => parts.push(data)
    made.onstop = () => {
      const plain = type.split(';')[0] ?? type
      done(new File(parts, plain === 'video/mp4' ? 'camera.mp4' : 'camera.webm', { type: plain }))
    }
    made.start()
    recorder.current = made
    setSeconds(0)
  }

  return (
    <Drawer title={t.record} close={close} className="camera">
      {failed ? (
        <p className="form-problem" role="alert">{t.noCamera}</p>
      ) : (
        <>
          <video ref={view} className="camera-view" autoPlay muted playsInline />
          <div className="camera-bar">
            <span className="quiet" role="timer">{seconds === null ? '' : `${seconds} / ${longest} s`}</span>
            <button
              type="button"
              className="shutter"
              data-on={seconds !== null}
              disabled={!stream}
              aria-label={seconds === null ? t.startRecording : t.stopRecording}
              onClick={() => (seconds === null ? start() : recorder.current?.stop())}
            />
          </div>
        </>
      )}
    </Drawer>
  )
}

function stop(stream: MediaStream) {
  for (const track of stream.getTracks()) track.stop()
}
