global using IdP.Testing;
global using Microsoft.Playwright;
global using Xunit;
