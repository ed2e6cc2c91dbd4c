import { Trash2 } from 'lucide-react'
import { type SyntheticEvent, useState } from 'react'
import { useMutation } from 'urql'
import { useLocation } from 'wouter'
import { RemoveVideoDocument, RetitleDocument, type SlideFragment } from '../gql/graphql'
import { useText } from '../text/text'
import { Drawer } from '../ui/Drawer'
import { isValidTitle, TitleField } from '../ui/TitleField'
import { useToast } from '../ui/toast'

// EditVideo changes the title of the viewer's own video, or deletes the video after a confirmation.
export default function EditVideo({ video, close }: { video: SlideFragment; close: () => void }) {
  const { t, errorText } = useText()
  const toast = useToast()
  const [path, navigate] = useLocation()
  const [title, setTitle] = useState(video.title)
  const [confirming, setConfirming] = useState(false)
  const [{ fetching: saving, error: saveError }, updateTitle] = useMutation(RetitleDocument)
  const [{ fetching: deleting, error: deleteError }, deleteVideo] = useMutation(RemoveVideoDocument)
  const busy = saving || deleting
  const error = deleteError ?? saveError

  async function submit(event: SyntheticEvent) {
    event.preventDefault()
    if (title.trim() !== video.title) {
      if ((await updateTitle({ video: video.id, title: title.trim() })).error) return
      toast(t.saved)
    }
    close()
  }

  async function confirm() {
    if ((await deleteVideo({ video: video.id })).error) return
    toast(t.deleted)
    if (path === `/video/${video.databaseId}`) navigate(`/user/${video.author?.databaseId}`, { replace: true })
  }

  return (
    <Drawer title={t.editVideo} close={close}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <TitleField title={title} setTitle={setTitle} disabled={busy} />
        <p className="form-error" role="alert">{error && errorText(error)}</p>
        <button type="submit" className="button primary wide" disabled={busy || !isValidTitle(title)}>{t.save}</button>
        {confirming ? (
          <div className="confirm" role="group" aria-label={t.deleteVideo}>
            <p role="alert">{t.deleteWhy}</p>
            <button type="button" className="button" autoFocus disabled={busy} onClick={() => setConfirming(false)}>{t.cancel}</button>
            <button type="button" className="button danger" disabled={busy} onClick={() => void confirm()}>{t.deleteForGood}</button>
          </div>
        ) : (
          <button type="button" className="button danger wide" disabled={busy} onClick={() => setConfirming(true)}><Trash2 size={16} /> {t.deleteVideo}</button>
        )}
      </form>
    </Drawer>
  )
}
