import { type Cache, type CacheExchangeOpts, type Entity, type Link, type UpdateResolver } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import type {
  MessageReceivedSubscription,
  PublishMutation,
  RemoveCommentMutation,
  RemoveVideoMutation,
  SendMessageMutation,
  WriteCommentMutation,
} from '../gql/graphql'

// What the cache cannot know by itself: objects without an id, lists in pages, what a change will look like before the
// server has said so, and which lists it shows in.

const embedded = () => null

// pagesOf returns the pages of a list that are in the cache.
function pagesOf(cache: Cache, parent: Entity, field: string) {
  return cache.inspectFields(parent).filter((page) => page.fieldName === field)
}

// isOuter tells whether a page is the one that grows: not asked for as what follows on another.
function isOuter(args: Record<string, unknown> | null) {
  return !args?.after && !args?.before
}

// changeNodes replaces the items of pages of a list, of those with the given arguments.
function changeNodes(
  cache: Cache, parent: Entity, field: string, outerOnly: boolean, change: (nodes: string[]) => string[], only: Record<string, string> = {},
) {
  for (const page of pagesOf(cache, parent, field)) {
    if (outerOnly && !isOuter(page.arguments)) continue
    if (Object.entries(only).some(([name, value]) => page.arguments?.[name] !== value)) continue
    const connection = cache.resolve(parent, page.fieldKey) as string | null
    const nodes = connection && (cache.resolve(connection, 'nodes') as string[] | null)
    if (connection && nodes) cache.link(connection, 'nodes', change(nodes) as Link)
  }
}

const without = (gone: string | null) => (nodes: string[]) => nodes.filter((node) => node !== gone)
const prepend = (key: string) => (nodes: string[]) => [key, ...nodes.filter((node) => node !== key)]
const append = (key: string) => (nodes: string[]) => [...nodes.filter((node) => node !== key), key]

// freshStart is for lists in pages: when the outer page has come anew, those that follow on the one before it go, or
// there could be a gap between them.
function freshStart(field: string): UpdateResolver {
  return (_result, args, cache, info) => {
    if (!isOuter(args)) return
    for (const page of pagesOf(cache, info.parentKey, field)) {
      const sameList = Object.entries(page.arguments ?? {}).every(([name, value]) =>
        ['first', 'last', 'after', 'before'].includes(name) || value === args[name])
      if (sameList && !isOuter(page.arguments)) cache.invalidate(info.parentKey, page.fieldKey)
    }
  }
}

// countOf returns a number of the cache, moved by a step; null when it is not known.
function countOf(cache: Cache, entity: Entity, field: string, step: number) {
  const count = cache.resolve(entity, field)
  return typeof count === 'number' ? Math.max(0, count + step) : null
}

// liked returns what a video will be after the viewer's like has come or gone.
function liked(cache: Cache, id: string, likes: boolean) {
  const video = { __typename: 'Video', id }
  const step = cache.resolve(video, 'viewerHasLiked') === likes ? 0 : likes ? 1 : -1
  return { ...video, viewerHasLiked: likes, likeCount: countOf(cache, video, 'likeCount', step) }
}

// followed returns what a user will be after the viewer has begun or stopped to follow.
function followed(cache: Cache, id: string, follows: boolean) {
  const user = { __typename: 'User', id }
  const step = cache.resolve(user, 'viewerIsFollowing') === follows ? 0 : follows ? 1 : -1
  return { ...user, viewerIsFollowing: follows, followerCount: countOf(cache, user, 'followerCount', step) }
}

// commented returns a video with the count that it will have.
function commented(cache: Cache, id: string, step: number) {
  const video = { __typename: 'Video', id }
  return { ...video, commentCount: countOf(cache, video, 'commentCount', step) }
}

// chatted puts a message at the end of the conversation with a peer, and makes it the latest of the friend.
function chatted(cache: Cache, message: string, peer: number, friend: string | undefined) {
  changeNodes(cache, 'Query', 'conversation', true, append(`Message:${message}`), { with: String(peer) })
  if (friend && cache.resolve(`Friend:${friend}`, 'user')) cache.link(`Friend:${friend}`, 'latestMessage', `Message:${message}`)
}

// viewerOf returns the key of the viewer, null for a visitor.
const viewerOf = (cache: Cache) => cache.resolve('Query', 'viewer') as string | null

// inputOf returns the input of a mutation.
interface Input {
  videoId: string
  userId: string
  commentId: string
  content: string
}
const inputOf = (args: Record<string, unknown>) => args.input as Input

// after returns what is to be done to lists once a mutation or a subscription has brought its result.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- it says what the mutation brings
function after<Result>(update: (result: Result, input: Input, cache: Cache) => void): UpdateResolver {
  return (result, args, cache) => update(result as Result, inputOf(args), cache)
}

export const cacheOptions: CacheExchangeOpts = {
  keys: {
    Friend: (friend) => (friend.user as unknown as { id?: string } | null)?.id ?? null,
    ...Object.fromEntries(
      [
        'VideoConnection', 'FeedConnection', 'CommentConnection', 'UserConnection', 'FriendConnection', 'MessageConnection',
        'PageInfo', 'SessionPayload', 'UpdateProfilePayload', 'PublishVideoPayload', 'UpdateVideoPayload', 'DeleteVideoPayload', 'LikeVideoPayload',
        'UnlikeVideoPayload', 'CreateCommentPayload', 'DeleteCommentPayload', 'FollowPayload', 'UnfollowPayload',
        'SendMessagePayload', 'VideoPublishedPayload', 'VideoStatsChangedPayload', 'MessageReceivedPayload',
      ].map((name) => [name, embedded]),
    ),
  },
  resolvers: {
    Query: { conversation: relayPagination() },
    Video: { comments: relayPagination() },
    User: {
      videos: relayPagination(),
      likedVideos: relayPagination(),
      following: relayPagination(),
      followers: relayPagination(),
      friends: relayPagination(),
    },
  },
  optimistic: {
    likeVideo: (args, cache) => ({ __typename: 'LikeVideoPayload', video: liked(cache, inputOf(args).videoId, true) }),
    unlikeVideo: (args, cache) => ({ __typename: 'UnlikeVideoPayload', video: liked(cache, inputOf(args).videoId, false) }),
    follow: (args, cache) => ({ __typename: 'FollowPayload', user: followed(cache, inputOf(args).userId, true) }),
    unfollow: (args, cache) => ({ __typename: 'UnfollowPayload', user: followed(cache, inputOf(args).userId, false) }),
    createComment(args, cache) {
      const { videoId, content } = inputOf(args)
      const viewer = viewerOf(cache)
      const field = (name: string) => cache.resolve(viewer, name) as string
      return {
        __typename: 'CreateCommentPayload',
        comment: {
          __typename: 'Comment',
          id: `unsent ${Date.now()}`,
          content,
          createdAt: Date.now(),
          author: viewer && {
            __typename: 'User',
            id: field('id'),
            databaseId: field('databaseId'),
            name: field('name'),
            avatarUrl: field('avatarUrl'),
          },
        },
        video: commented(cache, videoId, 1),
      }
    },
    deleteComment: (args, cache) => ({
      __typename: 'DeleteCommentPayload',
      deletedCommentId: inputOf(args).commentId,
      video: commented(cache, inputOf(args).videoId, -1),
    }),
  },
  updates: {
    Query: { conversation: freshStart('conversation') },
    Video: { comments: freshStart('comments') },
    User: Object.fromEntries(
      ['videos', 'likedVideos', 'following', 'followers', 'friends'].map((field) => [field, freshStart(field)]),
    ),
    Mutation: {
      createComment: after<WriteCommentMutation>(({ createComment: { comment } }, { videoId }, cache) =>
        changeNodes(cache, `Video:${videoId}`, 'comments', true, prepend(`Comment:${comment.id}`)),
      ),
      deleteComment: after<RemoveCommentMutation>(({ deleteComment: { deletedCommentId } }, { videoId }, cache) =>
        changeNodes(cache, `Video:${videoId}`, 'comments', false, without(`Comment:${deletedCommentId}`)),
      ),
      publishVideo: after<PublishMutation>(({ publishVideo: { video } }, _input, cache) => {
        changeNodes(cache, 'Query', 'feed', true, prepend(`Video:${video.id}`))
        changeNodes(cache, viewerOf(cache), 'videos', true, prepend(`Video:${video.id}`))
      }),
      deleteVideo: after<RemoveVideoMutation>(({ deleteVideo: { deletedVideoId } }, _input, cache) => {
        const video = `Video:${deletedVideoId}`
        changeNodes(cache, 'Query', 'feed', false, without(video))
        for (const field of ['videos', 'likedVideos']) changeNodes(cache, viewerOf(cache), field, false, without(video))
        for (const { fieldKey } of pagesOf(cache, 'Query', 'video')) {
          if (cache.resolve('Query', fieldKey) === video) cache.link('Query', fieldKey, null)
        }
      }),
      sendMessage: after<SendMessageMutation>(({ sendMessage: { message } }, { userId }, cache) =>
        chatted(cache, message.id, message.toUserDatabaseId, userId),
      ),
    },
    Subscription: {
      messageReceived: after<MessageReceivedSubscription>(({ messageReceived: { message, from } }, _input, cache) =>
        chatted(cache, message.id, message.fromUserDatabaseId, from?.id),
      ),
    },
  },
}
