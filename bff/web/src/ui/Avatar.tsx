// Avatar shows a user's picture. It has no alternative text because the name is next to it.
export function Avatar({ url, size = 40 }: { url: string | undefined; size?: number }) {
  return <img className="avatar" src={url} width={size} height={size} alt="" loading="lazy" />
}
