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

// The options of the normalized cache: keys of objects without an ID, pagination, optimistic results of mutations, and
// how mutations and subscriptions update lists.

const withoutKey = () => null

// pagesOf returns the cached pages of a list.
function pagesOf(cache: Cache, parent: Entity, field: string) {
  return cache.inspectFields(parent).filter((page) => page.fieldName === field)
}

type Arguments = Record<string, unknown> | null

// isFirstPage reports whether a page was requested without a cursor. New nodes belong there.
function isFirstPage(args: Arguments) {
  return !args?.after && !args?.before
}

// updateNodes replaces the nodes in the cached pages of a list, or only in those whose arguments pass a filter.
function updateNodes(cache: Cache, parent: Entity, field: string, update: (nodes: string[]) => string[], filter: (args: Arguments) => boolean = () => true) {
  for (const page of pagesOf(cache, parent, field).filter((page) => filter(page.arguments))) {
    const connection = cache.resolve(parent, page.fieldKey) as string | null
    const nodes = connection && (cache.resolve(connection, 'nodes') as string[] | null)
    if (connection && nodes) cache.link(connection, 'nodes', update(nodes) as Link)
  }
}

const remove = (key: string) => (nodes: string[]) => nodes.filter((node) => node !== key)
const prepend = (key: string) => (nodes: string[]) => [key, ...nodes.filter((node) => node !== key)]
const append = (key: string) => (nodes: string[]) => [...nodes.filter((node) => node !== key), key]

// invalidateLaterPages returns an updater that invalidates all other pages when the first page of a list is reloaded.
// Otherwise nodes between the new first page and the old second page could be missing.
function invalidateLaterPages(field: string): UpdateResolver {
  return (_result, args, cache, info) => {
    if (!isFirstPage(args)) return
    for (const page of pagesOf(cache, info.parentKey, field)) {
      const sameList = Object.entries(page.arguments ?? {}).every(([name, value]) =>
        ['first', 'last', 'after', 'before'].includes(name) || value === args[name])
      if (sameList && !isFirstPage(page.arguments)) cache.invalidate(info.parentKey, page.fieldKey)
    }
  }
}

// addToCount returns a cached count plus a difference, or null if the count is not cached.
function addToCount(cache: Cache, entity: Entity, field: string, difference: number) {
  const count = cache.resolve(entity, field)
  return typeof count === 'number' ? Math.max(0, count + difference) : null
}

// optimisticLike returns the video as it is after the viewer likes or unlikes it.
function optimisticLike(cache: Cache, id: string, like: boolean) {
  const video = { __typename: 'Video', id }
  const difference = cache.resolve(video, 'viewerHasLiked') === like ? 0 : like ? 1 : -1
  return { ...video, viewerHasLiked: like, likeCount: addToCount(cache, video, 'likeCount', difference) }
}

// optimisticFollow returns the user as it is after the viewer follows or unfollows it.
function optimisticFollow(cache: Cache, id: string, follow: boolean) {
  const user = { __typename: 'User', id }
  const difference = cache.resolve(user, 'viewerIsFollowing') === follow ? 0 : follow ? 1 : -1
  return { ...user, viewerIsFollowing: follow, followerCount: addToCount(cache, user, 'followerCount', difference) }
}

// optimisticComments returns the video as it is after a comment is added or deleted.
function optimisticComments(cache: Cache, id: string, difference: number) {
  const video = { __typename: 'Video', id }
  return { ...video, commentCount: addToCount(cache, video, 'commentCount', difference) }
}

// addMessage appends a message to the conversation with a peer, and sets it as the friend's latest message.
function addMessage(cache: Cache, message: string, peer: number, friend: string | undefined) {
  updateNodes(cache, 'Query', 'conversation', append(`Message:${message}`), (args) => isFirstPage(args) && args?.with === String(peer))
  if (friend && cache.resolve(`Friend:${friend}`, 'user')) cache.link(`Friend:${friend}`, 'latestMessage', `Message:${message}`)
}

// viewerKey returns the cache key of the viewer, or null for an anonymous client.
const viewerKey = (cache: Cache) => cache.resolve('Query', 'viewer') as string | null

interface Input {
  videoId: string
  userId: string
  commentId: string
  content: string
}

// inputOf returns the input of a mutation.
const inputOf = (args: Record<string, unknown>) => args.input as Input

// onResult returns an updater that runs after a mutation or a subscription has a result.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- callers name the type of the result
function onResult<Result>(update: (result: Result, input: Input, cache: Cache) => void): UpdateResolver {
  return (result, args, cache) => update(result as Result, inputOf(args), cache)
}

// forUserLists returns an object with a value for each list of a user.
const forUserLists = <Value>(valueOf: (field: string) => Value) =>
  Object.fromEntries(['videos', 'likedVideos', 'following', 'followers', 'friends'].map((field) => [field, valueOf(field)]))

export const cacheOptions: CacheExchangeOpts = {
  keys: {
    Friend: (friend) => (friend.user as unknown as { id?: string } | null)?.id ?? null,
    ...Object.fromEntries(
      [
        'VideoConnection', 'FeedConnection', 'CommentConnection', 'UserConnection', 'FriendConnection', 'MessageConnection',
        'PageInfo', 'SessionPayload', 'UpdateProfilePayload', 'PublishVideoPayload', 'UpdateVideoPayload', 'DeleteVideoPayload', 'LikeVideoPayload',
        'UnlikeVideoPayload', 'CreateCommentPayload', 'DeleteCommentPayload', 'FollowPayload', 'UnfollowPayload',
        'SendMessagePayload', 'VideoPublishedPayload', 'VideoStatsChangedPayload', 'MessageReceivedPayload',
      ].map((name) => [name, withoutKey]),
    ),
  },
  resolvers: {
    Query: { conversation: relayPagination() },
    Video: { comments: relayPagination() },
    User: forUserLists(() => relayPagination()),
  },
  optimistic: {
    likeVideo: (args, cache) => ({ __typename: 'LikeVideoPayload', video: optimisticLike(cache, inputOf(args).videoId, true) }),
    unlikeVideo: (args, cache) => ({ __typename: 'UnlikeVideoPayload', video: optimisticLike(cache, inputOf(args).videoId, false) }),
    follow: (args, cache) => ({ __typename: 'FollowPayload', user: optimisticFollow(cache, inputOf(args).userId, true) }),
    unfollow: (args, cache) => ({ __typename: 'UnfollowPayload', user: optimisticFollow(cache, inputOf(args).userId, false) }),
    createComment(args, cache) {
      const { videoId, content } = inputOf(args)
      const viewer = viewerKey(cache)
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
        video: optimisticComments(cache, videoId, 1),
      }
    },
    deleteComment: (args, cache) => ({
      __typename: 'DeleteCommentPayload',
      deletedCommentId: inputOf(args).commentId,
      video: optimisticComments(cache, inputOf(args).videoId, -1),
    }),
  },
  updates: {
    Query: { conversation: invalidateLaterPages('conversation') },
    Video: { comments: invalidateLaterPages('comments') },
    User: forUserLists(invalidateLaterPages),
    Mutation: {
      createComment: onResult<WriteCommentMutation>(({ createComment: { comment } }, { videoId }, cache) =>
        updateNodes(cache, `Video:${videoId}`, 'comments', prepend(`Comment:${comment.id}`), isFirstPage),
      ),
      deleteComment: onResult<RemoveCommentMutation>(({ deleteComment: { deletedCommentId } }, { videoId }, cache) =>
        updateNodes(cache, `Video:${videoId}`, 'comments', remove(`Comment:${deletedCommentId}`)),
      ),
      publishVideo: onResult<PublishMutation>(({ publishVideo: { video } }, _input, cache) => {
        updateNodes(cache, 'Query', 'feed', prepend(`Video:${video.id}`), isFirstPage)
        updateNodes(cache, viewerKey(cache), 'videos', prepend(`Video:${video.id}`), isFirstPage)
      }),
      deleteVideo: onResult<RemoveVideoMutation>(({ deleteVideo: { deletedVideoId } }, _input, cache) => {
        const video = `Video:${deletedVideoId}`
        updateNodes(cache, 'Query', 'feed', remove(video))
        for (const field of ['videos', 'likedVideos']) updateNodes(cache, viewerKey(cache), field, remove(video))
        for (const { fieldKey } of pagesOf(cache, 'Query', 'video')) {
          if (cache.resolve('Query', fieldKey) === video) cache.link('Query', fieldKey, null)
        }
      }),
      sendMessage: onResult<SendMessageMutation>(({ sendMessage: { message } }, { userId }, cache) =>
        addMessage(cache, message.id, message.toUserDatabaseId, userId),
      ),
    },
    Subscription: {
      messageReceived: onResult<MessageReceivedSubscription>(({ messageReceived: { message, from } }, _input, cache) =>
        addMessage(cache, message.id, message.fromUserDatabaseId, from?.id),
      ),
    },
  },
}
