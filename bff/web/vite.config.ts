import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

// compress adds a gzip and a brotli file to each script and stylesheet, so that the server does not compress.
function compress(): Plugin {
  return {
    name: 'compress',
    apply: 'build',
    writeBundle({ dir = '' }) {
      const assets = join(dir, 'assets')
      for (const name of readdirSync(assets).filter((name) => /\.(js|css)$/.test(name))) {
        const text = readFileSync(join(assets, name))
        writeFileSync(join(assets, name + '.gz'), gzipSync(text, { level: 9 }))
        writeFileSync(join(assets, name + '.br'), brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
      }
    },
  }
}

export default defineConfig({
  plugins: [react(), compress()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the Content-Security-Policy allows data: URLs for images only
    modulePreload: { polyfill: false },
    license: false,
    // One chunk for the first load: it compresses better than several.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'index', tags: ['$initial'] }] } } },
  },
  server: {
    // `npx vite` serves the page, and forwards all other requests to a server on its default address.
    proxy: { '/graphql': { target: 'http://127.0.0.1:8080', ws: true }, '/session': 'http://127.0.0.1:8080', '/media': 'http://127.0.0.1:8080' },
  },
})
