import { makeStore } from '../store'

// All videos are muted or none. Browsers autoplay only muted videos, so they are muted until the user unmutes one.
const muted = makeStore(true)

export const setMuted = muted.set

// useMuted reports whether videos are muted.
export const useMuted = muted.useValue
