import { existsSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import type { Dataset } from '../../dataset.ts'
import { ingest } from '../../ingest.ts'
import { movieTweetings } from '../../sources/movietweetings.ts'
import { onlineRetail } from '../../sources/online-retail.ts'
import { InputError, type Source } from '../../sources/source.ts'
import { newItemQueries, nextQueries, periodQueries, withoutHistory } from '../queries.ts'
import type { Query, Task, Trial } from '../trial.ts'
import { cutBefore, leaveLastOut } from './cut.ts'
import { hiddenItemTasks, hiddenItemValidation, hideItems } from './hidden-items.ts'
import { before, heldOut, withoutLast } from './inner-cut.ts'
import {
  digineticaQueries,
  digineticaSource,
  gowallaQueries,
  gowallaSource,
  serenadeQueries,
  serenadeSessions,
  serenadeSource,
} from './sessions.ts'

export const datasetNames = [
  'online-retail',
  'serenade-bolcom',
  'diginetica',
  'gowalla',
  'movietweetings',
  'movietweetings-new-items',
] as const
export type DatasetName = (typeof datasetNames)[number]
export const splitNames = ['temporal', 'leave-last-out', 'sessions'] as const
export type SplitName = (typeof splitNames)[number]

/** Where the data sets lie, beside the project. */
export const DATA = join(import.meta.dirname, '../../../../shared/data')

/**
 * A trial whose questions are read only when they are asked: what learns never opens a test file. `validation` is a trial
 * of the same kind cut out of its training part, for choosing.
 */
export type OpenTrial = Pick<Trial, 'dataset' | 'train' | 'time'> & {
  /** What the protocol fixes of a night's configuration. */
  fixed: Partial<Config>
  /** Our own, learned with these settings besides, under names of their own. */
  ablations?: Record<string, Partial<Config>>
  tasks(): Promise<Task[]>
  validation(): Trial
}

/** What published figures were reached under: every pair counts, however few visitors have it. */
const NO_THRESHOLD: Partial<Config> = { minVisitors: 1 }

/** More items than any visitor has. */
const WHOLE_HISTORY = 1_000_000

const seconds = (iso: string): number => Date.parse(`${iso}Z`) / 1000
export const RETAIL_SPLIT = seconds('2011-11-09T12:50:00')
const RETAIL_VALIDATION = seconds('2011-10-10T12:50:00')
const MOVIES_SPLIT = seconds('2013-08-01T00:00:00')
const MOVIES_VALIDATION = seconds('2013-07-01T00:00:00')

export type TrialOptions = { threads: number; workDirectory: string }

/** Everything the machine has, for a command that does nothing else. */
export const wholeMachine = (): TrialOptions => ({ threads: availableParallelism(), workDirectory: join(tmpdir(), 'nightjar-bench') })

/** @throws InputError when the data set is not there */
export async function openTrial(name: DatasetName, data: string, options: TrialOptions): Promise<OpenTrial> {
  const read = (source: Source): Promise<Dataset> => ingest([source], { ...options, memoryMb: 1024 })
  const file = (...path: string[]): string => {
    const full = join(data, ...path)
    if (!existsSync(full)) throw new InputError(`${full}: no such file; --data FOLDER says where the data sets lie`)
    return full
  }
  switch (name) {
    case 'online-retail': {
      const lines = file('online-retail', 'online_retail.csv.gz')
      const train = await read(onlineRetail(lines, RETAIL_SPLIT))
      return {
        dataset: name,
        train,
        time: 'seconds',
        fixed: {},
        tasks: async () => retailTasks(await read(onlineRetail(lines)), train, RETAIL_SPLIT),
        validation: () => innerTrial(name, train, RETAIL_VALIDATION, (inner) => retailTasks(train, inner, RETAIL_VALIDATION)),
      }
    }
    case 'movietweetings': {
      const source = movies(file)
      const train = await read(cutBefore(source, MOVIES_SPLIT))
      return {
        dataset: name,
        train,
        time: 'seconds',
        fixed: {},
        tasks: async () => [{ name: 'next', queries: movieQueries(await read(source), train, MOVIES_SPLIT) }],
        validation: () =>
          innerTrial(name, train, MOVIES_VALIDATION, (inner) => [{ name: 'next', queries: movieQueries(train, inner, MOVIES_VALIDATION) }]),
      }
    }
    case 'movietweetings-new-items': {
      const source = movies(file)
      const train = await read(hideItems(cutBefore(source, MOVIES_SPLIT), MOVIES_SPLIT))
      return {
        dataset: name,
        train,
        time: 'seconds',
        fixed: {},
        ablations: { 'nightjar-no-content': { content: 0 } },
        tasks: async () => hiddenItemTasks(await read(hideItems(source, MOVIES_SPLIT)), train, MOVIES_SPLIT, 0),
        validation: () => hiddenItemValidation(name, train, MOVIES_VALIDATION),
      }
    }
    case 'serenade-bolcom': {
      const train = await read(serenadeSource(file(name, 'train.tsv.gz')))
      const asked = (part: string): Task[] => [{ name: 'next', queries: serenadeQueries(serenadeSessions(file(name, part)), train) }]
      return {
        dataset: name,
        train,
        time: 'seconds',
        fixed: NO_THRESHOLD,
        tasks: async () => asked('test.tsv.gz'),
        validation: () => ({ dataset: name, train, time: 'seconds', tasks: asked('valid.tsv.gz') }),
      }
    }
    case 'diginetica': {
      const train = await read(digineticaSource(file(name, 'train.txt.gz')))
      const tasks = async (): Promise<Task[]> => [{ name: 'next', queries: digineticaQueries(file(name, 'test.txt.gz'), train) }]
      const validation = (): Trial => ({ ...innerSessions(name, train), time: 'order' })
      return { dataset: name, train, time: 'order', fixed: NO_THRESHOLD, tasks, validation }
    }
    case 'gowalla': {
      const lines = file(name, 'train.txt.gz')
      const train = await read(gowallaSource(lines))
      const tasks = async (): Promise<Task[]> => [{ name: 'whole-history', queries: gowallaQueries(file(name, 'test.txt.gz'), train) }]
      const validation = (): Trial => {
        const { train: inner, queries } = heldOut(train)
        return { dataset: name, train: inner, time: 'none', tasks: [{ name: 'whole-history', queries }] }
      }
      return { dataset: name, train, time: 'none', fixed: { ...NO_THRESHOLD, remembered: WHOLE_HISTORY, timed: false }, tasks, validation }
    }
  }
}

/** What happened in `train` from `at` on is asked for from what happened before. */
function innerTrial(dataset: string, train: Dataset, at: number, tasks: (inner: Dataset) => Task[]): Trial {
  const inner = before(train, at)
  return { dataset, train: inner, time: 'seconds', tasks: tasks(inner) }
}

function innerSessions(dataset: string, train: Dataset): Trial {
  const at = splitTime(train, 'sessions')
  return innerTrial(dataset, train, at, (inner) => sessionTasks(train, inner, at))
}

function retailTasks(all: Dataset, train: Dataset, split: number): Task[] {
  const everyone = periodQueries(all, train, split)
  const known = everyone.filter(({ history }) => history.length > 0)
  return [
    { name: 'repeats', queries: known },
    { name: 'new', queries: newItemQueries(known) },
    { name: 'basket', queries: nextQueries(all, train, split) },
    { name: 'no-clicks', queries: withoutHistory(everyone) },
    { name: 'no-clicks-abroad', queries: withoutHistory(everyone.filter(({ country }) => country !== 'GB')) },
  ]
}

const movies = (file: (...path: string[]) => string): Source =>
  movieTweetings(file('movietweetings-100k', 'ratings.dat.gz'), file('movietweetings-100k', 'movies.dat.gz'))

/** The first later rating of whoever had rated four films before; rated films are no answer. */
function movieQueries(all: Dataset, train: Dataset, split: number): Query[] {
  return periodQueries(all, train, split, 1)
    .filter(({ owned }) => owned.size >= 4)
    .map((query) => ({ ...query, masked: query.owned }))
}

/** How much of a history of one's own is kept for the questions. */
const TEST_SHARE = 0.1

/** Any interaction file, cut as `split` says. */
export async function cutTrial(source: Source, split: SplitName, options: TrialOptions): Promise<OpenTrial> {
  const read = (cut: Source): Promise<Dataset> => ingest([cut], { ...options, memoryMb: 1024 })
  const dataset = source.name
  if (split === 'leave-last-out') {
    const train = await read(leaveLastOut(source))
    const last = (whole: Dataset, part: Dataset): Task[] => [{ name: 'last', queries: periodQueries(whole, part, 'last', 1) }]
    const validation = (): Trial => {
      const inner = withoutLast(train)
      return { dataset, train: inner, time: 'seconds', tasks: last(train, inner) }
    }
    return { dataset, train, time: 'seconds', fixed: {}, tasks: async () => last(await read(source), train), validation }
  }
  const all = await read(source)
  const at = splitTime(all, split)
  const train = await read(cutBefore(source, at))
  const asked = split === 'sessions' ? sessionTasks : temporalTasks
  const inner = splitTime(train, split)
  return {
    dataset,
    train,
    time: 'seconds',
    fixed: {},
    tasks: async () => asked(all, train, at),
    validation: () => innerTrial(dataset, train, inner, (part) => asked(train, part, inner)),
  }
}

const sessionTasks = (all: Dataset, train: Dataset, at: number): Task[] => [{ name: 'next', queries: nextQueries(all, train, at) }]

function temporalTasks(all: Dataset, train: Dataset, at: number): Task[] {
  const everyone = periodQueries(all, train, at)
  const known = everyone.filter(({ history }) => history.length > 0)
  return [
    { name: 'repeats', queries: known },
    { name: 'new', queries: newItemQueries(known) },
    { name: 'no-clicks', queries: withoutHistory(everyone) },
  ]
}

/** The moment from which on the last tenth lies: of the sessions by their beginning, or of the deeds. */
function splitTime({ deeds }: Dataset, split: 'temporal' | 'sessions'): number {
  const opens = (k: number): boolean => k === 0 || deeds.session[k] !== deeds.session[k - 1]
  const times = Array.from(deeds.at.keys())
    .filter((k) => split === 'temporal' || opens(k))
    .map((k) => deeds.at[k])
    .sort((a, b) => a - b)
  if (times.length < 10) throw new InputError('too few events to cut a tenth off for questions')
  return times[Math.floor(times.length * (1 - TEST_SHARE))]
}
