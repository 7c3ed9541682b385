using Microsoft.Testing.Platform.Builder;

namespace Examples.Tests;

/// <summary>The tests, or what a test starts in a process of its own.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args is [CultureTests.Argument, string folder]) return CultureTests.Run(folder);
        ITestApplicationBuilder builder = await TestApplication.CreateBuilderAsync(args);
        SelfRegisteredExtensions.AddSelfRegisteredExtensions(builder, args);
        using ITestApplication tests = await builder.BuildAsync();
        return await tests.RunAsync();
    }
}
