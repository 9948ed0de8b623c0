import { join } from 'node:path'
import { ingest } from '../../ingest.ts'
import { onlineRetail } from '../../sources/online-retail.ts'
import { serenadeSessions } from '../trials/sessions.ts'
import { type OpenTrial, openTrial, RETAIL_SPLIT, type TrialOptions } from '../trials/trials.ts'
import { type Plan, planSessions, planVisits, type SampleOptions } from './plan.ts'

export const replayNames = ['serenade-bolcom', 'online-retail'] as const
export type ReplayName = (typeof replayNames)[number]

/** A trial, and how its test part is lived through; that part is read only when the plan is asked for. */
export type OpenReplay = { trial: OpenTrial; plan(): Promise<Plan> }

/** @throws InputError when the data set is not there */
export async function openReplay(name: ReplayName, data: string, sample: SampleOptions, options: TrialOptions): Promise<OpenReplay> {
  const trial = await openTrial(name, data, options)
  if (name === 'serenade-bolcom') {
    const plan = async (): Promise<Plan> => planSessions(serenadeSessions(join(data, name, 'test.tsv.gz')), trial.train, sample)
    return { trial, plan }
  }
  const plan = async (): Promise<Plan> => {
    const all = await ingest([onlineRetail(join(data, name, 'online_retail.csv.gz'))], { ...options, memoryMb: 1024 })
    return planVisits(all, trial.train, RETAIL_SPLIT, sample)
  }
  return { trial, plan }
}
