import { type SyntheticEvent, useState } from 'react'
import { type CombinedError, useMutation } from 'urql'
import { SignInDocument, SignUpDocument } from '../gql/graphql'
import { codeOf } from '../graph/client'
import { Drawer } from '../parts/Drawer'
import { textOf } from '../parts/hooks'
import { useWords } from '../text/text'
import { useSession } from './session'

// SignIn asks for name and password, of an old or a new account.
export default function SignIn({ close }: { close: () => void }) {
  const { t } = useWords()
  return (
    <Drawer title={t.signIn} close={close} className="sign-in">
      <SignInForm />
    </Drawer>
  )
}

// SignInForm is the same without a dialog around it.
export function SignInForm() {
  const { t, problem } = useWords()
  const { start } = useSession()
  const [isNew, setNew] = useState(false)
  const [failed, setFailed] = useState('')
  const [busy, setBusy] = useState(false)
  const [, signIn] = useMutation(SignInDocument)
  const [, signUp] = useMutation(SignUpDocument)

  const explain = (error: CombinedError) => (!isNew && codeOf(error) === 'UNAUTHENTICATED' ? t.problems.WRONG_PASSWORD : problem(error)) ?? ''

  async function submit(event: SyntheticEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const input = { name: textOf(form, 'name'), password: form.get('password') as string } // of which space is a part
    setBusy(true)
    setFailed('')
    const result = isNew ? await signUp({ input }) : await signIn({ input })
    const payload = result.data && ('register' in result.data ? result.data.register : result.data.login)
    try {
      if (payload) await start(payload.token)
      else if (result.error) setFailed(explain(result.error))
    } catch {
      setFailed(t.problems.NETWORK ?? '')
    }
    setBusy(false)
  }

  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <p className="form-title">{isNew ? t.signUpTitle : t.signInTitle}</p>
      <p className="quiet">{t.signInWhy}</p>
      <label>
        {t.name}
        <input name="name" autoComplete="username" required maxLength={64} autoCapitalize="none" spellCheck={false} />
      </label>
      <label>
        {t.password}
        <input name="password" type="password" autoComplete={isNew ? 'new-password' : 'current-password'} required maxLength={64} />
      </label>
      <p className="form-problem" role="alert">
        {failed}
      </p>
      <button type="submit" className="button primary wide" disabled={busy}>
        {isNew ? t.signUp : t.signIn}
      </button>
      <p className="form-other">
        {isNew ? t.haveAccount : t.noAccount}{' '}
        <button type="button" className="link" onClick={() => setNew(!isNew)}>
          {isNew ? t.signIn : t.signUp}
        </button>
      </p>
    </form>
  )
}
