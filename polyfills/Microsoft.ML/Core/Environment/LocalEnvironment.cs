using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The environment behind an <see cref="MLContext"/>.</summary>
internal sealed class LocalEnvironment(int? seed = null) : HostEnvironmentBase<LocalEnvironment>(seed, verbose: false)
{
    protected override HostBase CreateHost(
        HostEnvironmentBase<LocalEnvironment> source, string shortName, string parentFullName, Random rand, bool verbose) =>
        new Host(source, shortName, parentFullName, rand, verbose);

    private sealed class Host(HostEnvironmentBase<LocalEnvironment> source, string shortName, string parentFullName, Random rand, bool verbose)
        : HostBase(source, shortName, parentFullName, rand, verbose)
    {
        protected override HostBase CreateHost(
            HostEnvironmentBase<LocalEnvironment> from, string childName, string childParentName, Random childRand, bool childVerbose) =>
            new Host(from, childName, childParentName, childRand, childVerbose);
    }
}
