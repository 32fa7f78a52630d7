/** One documented price, in US dollars, of us-east-1. */
export interface Price {
  readonly dollars: number;
  readonly per: string;
  readonly source: string;
}

/** When the prices were read. Regions differ by some percent; taxes and discounts aren't known here. */
export const PRICES_OF = '2026-11-21';

export const PRICES = {
  'codepipeline.v1': { dollars: 1, per: 'active pipeline and month', source: 'aws.amazon.com/codepipeline/pricing' },
  'codepipeline.v2': { dollars: 0.002, per: 'action minute, approvals aside, each rounded up', source: 'aws.amazon.com/codepipeline/pricing' },
  'codebuild.small': { dollars: 0.005, per: 'build minute, Linux', source: 'aws.amazon.com/codebuild/pricing' },
  'codebuild.medium': { dollars: 0.01, per: 'build minute, Linux', source: 'aws.amazon.com/codebuild/pricing' },
  'codebuild.large': { dollars: 0.02, per: 'build minute, Linux', source: 'aws.amazon.com/codebuild/pricing' },
  'codebuild.x2-large': { dollars: 0.2, per: 'build minute, Linux', source: 'aws.amazon.com/codebuild/pricing' },
  'kms.key': { dollars: 1, per: 'key and month', source: 'aws.amazon.com/kms/pricing' },
  's3.storage': { dollars: 0.023, per: 'GB and month', source: 'aws.amazon.com/s3/pricing' },
} as const satisfies Readonly<Record<string, Price>>;

/** What an account has for nothing each month, shared by all it runs; counted for no pipeline, because others may use it up. */
export const FREE_TIER = '100 action minutes of V2 pipelines, 100 minutes of small Linux builds, one V1 pipeline';
