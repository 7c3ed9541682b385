using Microsoft.Testing.Platform.Builder;

namespace Smae.Training.Tests;

/// <summary>The tests, or what a test starts in a process of its own.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        if (args is [CpuGradientsTests.EmbedOnlyArgument])
        {
            CpuGradientsTests.EmbedOnly();
            return 0;
        }
        if (args is [CultureTests.Argument, string culture, string place]) return CultureTests.Run(culture, place);
        if (args is [RankProgram.Argument, string shared, string kind, string count]) return RankProgram.Run(shared, kind, count);
        if (args is [string folder, string result, string epochs, string method] && !folder.StartsWith('-'))
            return KilledRun.Run(folder, result, epochs, method);
        ITestApplicationBuilder builder = await TestApplication.CreateBuilderAsync(args);
        SelfRegisteredExtensions.AddSelfRegisteredExtensions(builder, args);
        using ITestApplication tests = await builder.BuildAsync();
        return await tests.RunAsync();
    }
}
