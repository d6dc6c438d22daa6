import math
import numpy as np
import validation.box_scenes as bs
from validation.box_scenes import *
from tocsin.tracking.window import Block, Effort, explain
from tocsin.tracking.jpda import marginals, blend

def track_jpda(s):
    x, P = s.x.copy(), np.repeat(s.P[None], len(s.x), axis=0)
    out = np.empty((SECONDS, len(x), 6))
    t = 0.0
    n=len(x)
    for scan in s.scans:
        xo, Po, gain, _ = step(x, P, scan, t)
        t = scan.t
        a, b = np.nonzero(gain > -math.inf)
        beta, none = marginals(a, b, gain[a, b], math.log(1-PD))
        rows=np.unique(a); alone=np.ones(n); alone[rows]=none
        g=np.r_[np.arange(n),a]
        xx=np.concatenate((x,xo[a,b]))[:,None]; PP=np.concatenate((P,Po[a,b]))[:,None]
        xb,Pb,_=blend(g,n,np.r_[alone,beta],np.ascontiguousarray(xx),np.ascontiguousarray(PP),np.ones((len(g),1)))
        x,P=np.ascontiguousarray(xb[:,0]),np.ascontiguousarray(Pb[:,0])
        out[int(t) - 1] = x
    return out
def block_of(scans):
    S=len(scans)
    first=np.concatenate(([0],np.cumsum([len(q.z) for q in scans]))).astype(np.int64)
    z=np.concatenate([q.z for q in scans])
    level=np.concatenate([math.log(PD/(1-PD))-ln_false(q.z) for q in scans])
    return Block(np.array([q.t for q in scans]),np.zeros(S),np.arange(S)%2,np.zeros(S,dtype=np.int64),np.ones(S,dtype=np.int64),
      np.array([q.platform for q in scans]),np.tile(ATTITUDE,(S,1)),np.tile(NOISE,(S,1,1)),first,z,np.zeros(len(z)),level)
def track_window(s, **kw):
    e=Effort(**kw)
    n=len(s.x); x0=s.x.copy(); P0=np.repeat(s.P[None],n,axis=0)
    start=x0.copy(); own=np.zeros((n,0),dtype=np.int64); out=np.empty((SECONDS,n,6))
    for sec in range(1,SECONDS+1):
        f=explain(block_of(s.scans[:2*sec]),x0,P0,0.0,start,own,Q,float(sec),0.0,e,sec)
        own,start=f.own,f.start; out[sec-1]=f.x
    return out
def track_w1(s): return track_window(s,rounds=1,keep=6)
def track_w2(s): return track_window(s,rounds=2,keep=10)
def track_w5(s): return track_window(s,rounds=5,keep=20)
def track_w10(s): return track_window(s,rounds=10,keep=40)
