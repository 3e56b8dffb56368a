// The form of every --help: one screen. Options of a group are only named, with the page that tells of
// them; what every command has is left out.
import { type Command, Help, type HelpConfiguration, type Option } from 'commander';

const own = Help.prototype;

export const shortHelp: HelpConfiguration = {
  subcommandTerm: (command) => command.name(),
  visibleOptions(command) {
    return shown(this, command).filter(({ helpGroupHeading }) => helpGroupHeading === undefined);
  },
  visibleCommands(command) {
    return own.visibleCommands.call(this, command).filter((part) => part.name() !== 'help');
  },
  formatHelp(command, helper) {
    const groups = Map.groupBy(shown(this, command), ({ helpGroupHeading }) => helpGroupHeading);
    const lines = [...groups].flatMap(([title, options]) => {
      if (title === undefined) return [];
      const names = options.map(({ long, short }) => long ?? short).join(' ');
      return helper.boxWrap(`${title} ${names}`, helper.helpWidth ?? 80).replaceAll('\n', '\n  ');
    });
    const whole = own.formatHelp.call(this, command, helper);
    return lines.length === 0 ? whole : `${whole}${lines.join('\n')}\n`;
  },
};

function shown(help: Partial<Help>, command: Command): Option[] {
  const options = own.visibleOptions.call(help as Help, command);
  return options.filter(({ long }) => long !== '--help');
}
