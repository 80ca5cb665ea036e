using IdP.Commands;

return await CommandLine.Run(args);
