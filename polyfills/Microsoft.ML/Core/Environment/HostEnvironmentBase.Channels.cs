using System.Diagnostics;

namespace Microsoft.ML.Runtime;

internal abstract partial class HostEnvironmentBase<TEnv>
{
    private class Pipe<TMessage>(ChannelProviderBase parent, string shortName, Action<IMessageSource, TMessage> dispatch)
        : ChannelProviderBase(shortName, parent.FullName, parent.Verbose), IPipe<TMessage>, IMessageSource
    {
        private bool _disposed;

        public void Send(TMessage msg) => dispatch(this, msg);

        public override TException Process<TException>(TException ex)
        {
            if (ex != null)
                Tag(ex, parent.ShortName, parent.ParentFullName, ShortName);
            return ex;
        }

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            Finish();
        }

        protected virtual void Finish()
        {
        }
    }

    private sealed class Channel : Pipe<ChannelMessage>, IChannel
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();

        public Channel(ChannelProviderBase parent, string shortName, Action<IMessageSource, ChannelMessage> dispatch)
            : base(parent, shortName, dispatch) => Trace(MessageSensitivity.None, "Channel started");

        public void Trace(MessageSensitivity sensitivity, string fmt) => Send(new(ChannelMessageKind.Trace, sensitivity, fmt));

        public void Trace(MessageSensitivity sensitivity, string fmt, params object[] args) =>
            Send(new(ChannelMessageKind.Trace, sensitivity, fmt, args));

        public void Error(MessageSensitivity sensitivity, string fmt) => Send(new(ChannelMessageKind.Error, sensitivity, fmt));

        public void Error(MessageSensitivity sensitivity, string fmt, params object[] args) =>
            Send(new(ChannelMessageKind.Error, sensitivity, fmt, args));

        public void Warning(MessageSensitivity sensitivity, string fmt) => Send(new(ChannelMessageKind.Warning, sensitivity, fmt));

        public void Warning(MessageSensitivity sensitivity, string fmt, params object[] args) =>
            Send(new(ChannelMessageKind.Warning, sensitivity, fmt, args));

        public void Info(MessageSensitivity sensitivity, string fmt) => Send(new(ChannelMessageKind.Info, sensitivity, fmt));

        public void Info(MessageSensitivity sensitivity, string fmt, params object[] args) =>
            Send(new(ChannelMessageKind.Info, sensitivity, fmt, args));

        protected override void Finish()
        {
            Trace(MessageSensitivity.None, "Channel finished. Elapsed {0:c}.", _watch.Elapsed);
            Trace(MessageSensitivity.None, "Channel disposed");
        }
    }
}
