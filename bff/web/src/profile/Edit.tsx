import { Camera } from 'lucide-react'
import { type SyntheticEvent, useEffect, useMemo, useState } from 'react'
import { useMutation } from 'urql'
import { type ProfileFragment, UpdateProfileDocument, type UpdateProfileInput } from '../gql/graphql'
import { useText } from '../text/text'
import { Drawer } from '../ui/Drawer'
import { trimmedField } from '../ui/form'
import { useToast } from '../ui/toast'

// Edit changes the viewer's profile. It sends only the fields that have changed.
export default function Edit({ user, close }: { user: ProfileFragment; close: () => void }) {
  const { t, errorText } = useText()
  const toast = useToast()
  const [avatar, setAvatar] = useState<File | null>(null)
  const [background, setBackground] = useState<File | null>(null)
  const [{ fetching, error }, update] = useMutation(UpdateProfileDocument)

  async function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const name = trimmedField(form, 'name')
    const signature = trimmedField(form, 'signature')
    const input: UpdateProfileInput = {}
    if (name !== user.name) input.name = name
    if (signature !== user.signature) input.signature = signature
    if (avatar) input.avatar = avatar
    if (background) input.background = background
    if (Object.keys(input).length > 0) {
      const result = await update({ input })
      if (result.error) return
      toast(t.saved)
    }
    close()
  }

  return (
    <Drawer title={t.editProfile} close={close} className="edit">
      <form className="form" onSubmit={(event) => void submit(event)}>
        <Picture label={t.background} url={user.backgroundUrl} file={background} choose={setBackground} className="edit-background" />
        <Picture label={t.avatar} url={user.avatarUrl} file={avatar} choose={setAvatar} className="edit-avatar" />
        <label>
          {t.name}
          <input name="name" defaultValue={user.name} required maxLength={32} />
        </label>
        <label>
          {t.signature}
          <textarea name="signature" defaultValue={user.signature} maxLength={100} rows={3} />
        </label>
        <p className="form-error" role="alert">{error && errorText(error)}</p>
        <button type="submit" className="button primary wide" disabled={fetching}>{t.save}</button>
      </form>
    </Drawer>
  )
}

interface PictureProps {
  label: string
  url: string
  file: File | null
  choose: (file: File | null) => void
  className: string
}

// Picture shows a picture and lets the user choose another file.
function Picture({ label, url, file, choose, className }: PictureProps) {
  const preview = useMemo(() => file && URL.createObjectURL(file), [file])
  useEffect(
    () => () => {
      if (preview) URL.revokeObjectURL(preview)
    },
    [preview],
  )
  return (
    <label className={`picture ${className}`}>
      <img src={preview ?? url} alt="" />
      <span className="picture-label"><Camera size={18} /> {label}</span>
      <input type="file" className="hidden" accept="image/jpeg,image/png,image/webp" onChange={(event) => choose(event.target.files?.[0] ?? null)} />
    </label>
  )
}
