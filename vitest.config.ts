import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** Fixed values for the Worker's secrets, so that what a test seals or signs is the same in every run. */
const TEST_SECRETS = {
  ID_KEY: 'test-id-key',
  TOKEN_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
  IDENTITY_KEY: 'test-identity-key',
  ADMIN_KEY: 'test-admin-key',
}

export default defineConfig({
  test: {
    // The default leaves one of two cores to nobody.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/batch/**/*.test.ts', 'test/shared/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins: [
          cloudflareTest({
            main: './workers/index.ts',
            remoteBindings: false,
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              // How busy the machine is must not choose the rung.
              bindings: { ...TEST_SECRETS, ANSWER_WITHIN_MS: '60000' },
              // Not dist/site: its bundled list is that of whichever night ran last on this machine.
              assets: { binding: 'ASSETS', directory: './test/edge/fixtures/site' },
            },
          }),
        ],
        // One isolate for all files: starting one, with the ONNX runtime in it, takes longer than all of the tests.
        test: {
          name: 'edge',
          include: ['test/edge/**/*.test.ts'],
          globalSetup: 'test/batch/support/place-onnx.ts',
          isolate: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/e2e/prepare.ts',
          testTimeout: 180_000,
          // A night on Online Retail, where other work has the cores.
          hookTimeout: 420_000,
        },
      },
    ],
  },
})
