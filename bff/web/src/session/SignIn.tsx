import { type SyntheticEvent, useState } from 'react'
import { type CombinedError, useMutation } from 'urql'
import { SignInDocument, SignUpDocument } from '../gql/graphql'
import { codeOf } from '../graph/errors'
import { useText } from '../text/text'
import { Drawer } from '../ui/Drawer'
import { trimmedField } from '../ui/form'
import { useSession } from './session'

// SignIn is the dialog to sign in or sign up.
export default function SignIn({ close }: { close: () => void }) {
  const { t } = useText()
  return (
    <Drawer title={t.signIn} close={close} className="sign-in">
      <SignInForm />
    </Drawer>
  )
}

// SignInForm signs in to an account, or creates one.
export function SignInForm() {
  const { t, errorText } = useText()
  const { start } = useSession()
  const [isNew, setNew] = useState(false)
  const [message, setMessage] = useState('')
  const [busy, setBusy] = useState(false)
  const [, signIn] = useMutation(SignInDocument)
  const [, signUp] = useMutation(SignUpDocument)

  const describe = (error: CombinedError) => (!isNew && codeOf(error) === 'UNAUTHENTICATED' ? t.problems.WRONG_PASSWORD : errorText(error)) ?? ''

  async function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const input = { name: trimmedField(form, 'name'), password: form.get('password') as string } // spaces are part of a password
    setBusy(true)
    setMessage('')
    const result = isNew ? await signUp({ input }) : await signIn({ input })
    const payload = result.data && ('register' in result.data ? result.data.register : result.data.login)
    try {
      if (payload) await start(payload.token)
      else if (result.error) setMessage(describe(result.error))
    } catch {
      setMessage(t.problems.NETWORK ?? '')
    }
    setBusy(false)
  }

  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <p className="form-title">{isNew ? t.signUpTitle : t.signInTitle}</p>
      <p className="secondary">{t.signInWhy}</p>
      <label>
        {t.name}
        <input name="name" autoComplete="username" required maxLength={64} autoCapitalize="none" spellCheck={false} />
      </label>
      <label>
        {t.password}
        <input name="password" type="password" autoComplete={isNew ? 'new-password' : 'current-password'} required maxLength={64} />
      </label>
      <p className="form-error" role="alert">
        {message}
      </p>
      <button type="submit" className="button primary wide" disabled={busy}>
        {isNew ? t.signUp : t.signIn}
      </button>
      <p className="form-switch">
        {isNew ? t.haveAccount : t.noAccount}{' '}
        <button type="button" className="link" onClick={() => setNew(!isNew)}>
          {isNew ? t.signIn : t.signUp}
        </button>
      </p>
    </form>
  )
}
