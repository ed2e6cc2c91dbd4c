import { defineConfig } from 'vite'

export default defineConfig({
  base: '/playground/',
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // emit every asset as a file
    chunkSizeWarningLimit: 8192,
    license: false,
  },
})
