import { UploadCloud, Video } from 'lucide-react'
import { useState } from 'react'
import { useText } from '../text/text'
import { Camera } from './Camera'
import { Draft } from './Draft'
import './publish.css'

// Publish takes a video from the device or the camera, and shows it as a draft.
export default function Publish() {
  const { t } = useText()
  const [file, setFile] = useState<File | null>(null)
  const [notVideo, setNotVideo] = useState(false)
  const [dragging, setDragging] = useState(false)
  const [recording, setRecording] = useState(false)

  function choose(chosen: File | undefined) {
    if (!chosen) return
    const isVideo = chosen.type.startsWith('video/')
    setNotVideo(!isVideo)
    if (isVideo) setFile(chosen)
  }

  if (file) return <Draft key={`${file.name} ${file.lastModified}`} file={file} discard={() => setFile(null)} />
  return (
    <div className="page publish">
      <h1>{t.publish}</h1>
      <p className="secondary">{t.publishWhy}</p>
      <label
        className="drop"
        data-dragging={dragging}
        onDragOver={(event) => { event.preventDefault(); setDragging(true) }}
        onDragLeave={() => setDragging(false)}
        onDrop={(event) => {
          event.preventDefault()
          setDragging(false)
          choose(event.dataTransfer.files[0])
        }}
      >
        <UploadCloud aria-hidden />
        <b>{t.pick}</b>
        <span>{t.drop}</span>
        <small>{t.formats}</small>
        <input type="file" className="hidden" accept="video/*" aria-label={t.pick} onChange={(event) => choose(event.target.files?.[0])} />
      </label>
      <p className="form-error" role="alert">{notVideo && t.notAVideo}</p>
      <button type="button" className="button wide" onClick={() => setRecording(true)}><Video size={18} /> {t.record}</button>
      {recording && <Camera close={() => setRecording(false)} done={(recorded) => { setRecording(false); choose(recorded) }} />}
    </div>
  )
}
