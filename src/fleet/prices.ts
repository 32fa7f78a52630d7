/** One documented price, in US dollars, of us-east-1. */
export interface Price {
  readonly dollars: number;
  readonly per: string;
  readonly source: string;
}

/**
 * When the prices were gathered. AWS shows them on pages that need a browser: where that was out of reach, the values are those that several
 * public documents quote from the page. Regions differ by some percent; taxes and discounts aren't known here.
 */
export const PRICES_OF = '2026-11-21';

const CODEBUILD = 'aws.amazon.com/codebuild/pricing';

export const PRICES = {
  'codepipeline.v1': { dollars: 1, per: 'active pipeline and month', source: 'aws.amazon.com/codepipeline/pricing' },
  'codepipeline.v2': { dollars: 0.002, per: 'action minute, approvals aside, each rounded up', source: 'aws.amazon.com/codepipeline/pricing' },
  'codebuild.small': { dollars: 0.005, per: 'build minute, Linux', source: CODEBUILD },
  'codebuild.medium': { dollars: 0.01, per: 'build minute, Linux', source: CODEBUILD },
  'codebuild.large': { dollars: 0.02, per: 'build minute, Linux', source: CODEBUILD },
  'codebuild.x2-large': { dollars: 0.2, per: 'build minute, Linux', source: CODEBUILD },
  'codebuild.arm.small': { dollars: 0.0034, per: 'build minute, ARM', source: CODEBUILD },
  // No document quotes it for us-east-1: the price of Tokyo, times what large costs here over what it costs there (0.009 × 0.015 ÷ 0.02).
  'codebuild.arm.medium': { dollars: 0.0068, per: 'build minute, ARM (estimated)', source: CODEBUILD },
  'codebuild.arm.large': { dollars: 0.015, per: 'build minute, ARM', source: CODEBUILD },
  'codebuild.arm.x2-large': { dollars: 0.09, per: 'build minute, ARM', source: CODEBUILD },
  'kms.key': { dollars: 1, per: 'key and month', source: 'aws.amazon.com/kms/pricing' },
  's3.storage': { dollars: 0.023, per: 'GB and month', source: 'aws.amazon.com/s3/pricing' },
  's3.writes': { dollars: 0.005, per: '1,000 PUT requests', source: 'aws.amazon.com/s3/pricing' },
  's3.reads': { dollars: 0.0004, per: '1,000 GET requests', source: 'aws.amazon.com/s3/pricing' },
} as const satisfies Readonly<Record<string, Price>>;

/** What an account has for nothing each month, shared by all it runs; counted for no pipeline, because others may use it up. */
export const FREE_TIER = '100 action minutes of V2 pipelines, 100 minutes of small builds, one V1 pipeline';
