import type { RequestContext } from '../../kernel/service.js';
import type * as Ec2 from '../../models/types/ec2.js';
import { page, select } from './describe.js';
import { all, details, fail, find, newId, remove, save } from './store.js';
import { tagged, tagsFor } from './tags.js';

const versions = (context: RequestContext) => details<Ec2.LaunchTemplateVersion[]>('template', context);

interface TemplateName {
  readonly LaunchTemplateId?: string;
  readonly LaunchTemplateName?: string;
}

function templateOf({ LaunchTemplateId: id, LaunchTemplateName: name }: TemplateName, context: RequestContext): Ec2.LaunchTemplate {
  if (id !== undefined) return find<Ec2.LaunchTemplate>('template', id, context);
  const found = all<Ec2.LaunchTemplate>('template', context).find(({ LaunchTemplateName }) => LaunchTemplateName === name);
  if (!found) throw fail('InvalidLaunchTemplateName.NotFoundException', `The specified launch template, with template name ${name ?? ''}, does not exist.`);
  return found;
}

export function createLaunchTemplate(input: Ec2.CreateLaunchTemplateRequest, context: RequestContext): Ec2.CreateLaunchTemplateResult {
  if (all<Ec2.LaunchTemplate>('template', context).some(({ LaunchTemplateName }) => LaunchTemplateName === input.LaunchTemplateName)) throw fail('InvalidLaunchTemplateName.AlreadyExistsException', 'Launch template name already in use.');
  const template: Ec2.LaunchTemplate = {
    LaunchTemplateId: newId('template'), LaunchTemplateName: input.LaunchTemplateName, CreateTime: context.now(), CreatedBy: caller(context), DefaultVersionNumber: 1, LatestVersionNumber: 1, ...tagged('template', tagsFor('template', input, context)),
  };
  context.state.transaction(() => {
    save('template', template, context);
    versions(context).put(template.LaunchTemplateId!, [version(template, 1, input.VersionDescription, input.LaunchTemplateData, context)]);
  });
  return { LaunchTemplate: template };
}

const caller = ({ principal }: RequestContext): string => ('arn' in principal ? principal.arn : principal.kind);

function version(template: Ec2.LaunchTemplate, VersionNumber: number, VersionDescription: string | undefined, data: Ec2.RequestLaunchTemplateData, context: RequestContext): Ec2.LaunchTemplateVersion {
  return {
    LaunchTemplateId: template.LaunchTemplateId, LaunchTemplateName: template.LaunchTemplateName, VersionNumber, ...(VersionDescription === undefined ? {} : { VersionDescription }), CreateTime: context.now(), CreatedBy: caller(context),
    DefaultVersion: false, LaunchTemplateData: data as Ec2.ResponseLaunchTemplateData,
  };
}

export function createLaunchTemplateVersion(input: Ec2.CreateLaunchTemplateVersionRequest, context: RequestContext): Ec2.CreateLaunchTemplateVersionResult {
  const template = templateOf(input, context);
  const before = versions(context).get(template.LaunchTemplateId!)!;
  const source = input.SourceVersion === undefined ? {} : versionNamed(template, before, input.SourceVersion).LaunchTemplateData;
  const number = template.LatestVersionNumber! + 1;
  const made = version(template, number, input.VersionDescription, { ...(source as Ec2.RequestLaunchTemplateData), ...input.LaunchTemplateData }, context);
  context.state.transaction(() => {
    versions(context).put(template.LaunchTemplateId!, [...before, made]);
    save('template', { ...template, LatestVersionNumber: number }, context);
  });
  return { LaunchTemplateVersion: made };
}

function versionNamed(template: Ec2.LaunchTemplate, list: readonly Ec2.LaunchTemplateVersion[], name: string): Ec2.LaunchTemplateVersion {
  const number = name === '$Latest' ? template.LatestVersionNumber : name === '$Default' ? template.DefaultVersionNumber : Number(name);
  const found = list.find(({ VersionNumber }) => VersionNumber === number);
  if (!found) throw fail('InvalidLaunchTemplateId.VersionNotFound', `Could not find launch template version ${name} for launch template ID ${template.LaunchTemplateId}.`);
  return { ...found, DefaultVersion: found.VersionNumber === template.DefaultVersionNumber };
}

/** What a template gives to an instance. */
export function templateData(name: Ec2.LaunchTemplateSpecification, context: RequestContext): object {
  const template = templateOf(name, context);
  return versionNamed(template, versions(context).get(template.LaunchTemplateId!)!, name.Version ?? '$Default').LaunchTemplateData ?? {};
}

export function modifyLaunchTemplate(input: Ec2.ModifyLaunchTemplateRequest, context: RequestContext): Ec2.ModifyLaunchTemplateResult {
  const template = templateOf(input, context);
  if (input.DefaultVersion === undefined) return { LaunchTemplate: template };
  const { VersionNumber } = versionNamed(template, versions(context).get(template.LaunchTemplateId!)!, input.DefaultVersion);
  return { LaunchTemplate: save('template', { ...template, DefaultVersionNumber: VersionNumber }, context) };
}

export function deleteLaunchTemplate(input: Ec2.DeleteLaunchTemplateRequest, context: RequestContext): Ec2.DeleteLaunchTemplateResult {
  const template = templateOf(input, context);
  remove('template', template.LaunchTemplateId!, context);
  versions(context).delete(template.LaunchTemplateId!);
  return { LaunchTemplate: template };
}

export function deleteLaunchTemplateVersions(input: Ec2.DeleteLaunchTemplateVersionsRequest, context: RequestContext): Ec2.DeleteLaunchTemplateVersionsResult {
  const template = templateOf(input, context);
  const before = versions(context).get(template.LaunchTemplateId!)!;
  const gone = input.Versions.map((name) => versionNamed(template, before, name));
  for (const { DefaultVersion, VersionNumber } of gone) if (DefaultVersion) throw fail('InvalidLaunchTemplateId.VersionNotFound', `The default version ${VersionNumber} can't be deleted.`);
  versions(context).put(template.LaunchTemplateId!, before.filter(({ VersionNumber }) => !gone.some((one) => one.VersionNumber === VersionNumber)));
  return { SuccessfullyDeletedLaunchTemplateVersions: gone.map(({ LaunchTemplateId, LaunchTemplateName, VersionNumber }) => ({ LaunchTemplateId, LaunchTemplateName, VersionNumber })), UnsuccessfullyDeletedLaunchTemplateVersions: [] };
}

export function describeLaunchTemplates(input: Ec2.DescribeLaunchTemplatesRequest, context: RequestContext): Ec2.DescribeLaunchTemplatesResult {
  const named = (input.LaunchTemplateNames ?? []).map((LaunchTemplateName) => templateOf({ LaunchTemplateName }, context).LaunchTemplateId!);
  const { items, ...rest } = select<Ec2.LaunchTemplate>('template', [...(input.LaunchTemplateIds ?? []), ...named], input, context);
  return { LaunchTemplates: items, ...rest };
}

export function describeLaunchTemplateVersions(input: Ec2.DescribeLaunchTemplateVersionsRequest, context: RequestContext): Ec2.DescribeLaunchTemplateVersionsResult {
  const template = templateOf(input, context);
  const list = versions(context).get(template.LaunchTemplateId!)!;
  const named = input.Versions ? input.Versions.map((name) => versionNamed(template, list, name)) : list.map(({ VersionNumber }) => versionNamed(template, list, String(VersionNumber))).reverse();
  const inRange = named.filter(({ VersionNumber }) => VersionNumber! >= Number(input.MinVersion ?? 0) && VersionNumber! <= Number(input.MaxVersion ?? Number.MAX_SAFE_INTEGER));
  const { items, ...rest } = page(inRange, input);
  return { LaunchTemplateVersions: items, ...rest };
}
