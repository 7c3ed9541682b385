namespace Microsoft.ML.Runtime;

internal abstract partial class HostEnvironmentBase<TEnv>
{
    /// <summary>The environment of one component.</summary>
    public abstract class HostBase : HostEnvironmentBase<TEnv>, IHost
    {
        protected HostBase(HostEnvironmentBase<TEnv> source, string shortName, string parentFullName, Random rand, bool verbose)
            : base(source, rand, verbose, shortName, parentFullName)
        {
        }

        public Random Rand => _rand;
    }
}
